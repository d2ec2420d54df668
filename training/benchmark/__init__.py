"""The leave-domain-out benchmark: which method helps on territories that nobody labelled, and by how much.

Words: S0 is a network taught with flips alone, S1 the same with strong augmentation, A one that was adapted,
O the oracle, which sees the target's labels. Rows of a table are targets; nothing of a target's labels enters
its row but its score and the oracle's.
"""
