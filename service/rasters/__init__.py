"""The room that reads the rasters of users, who may be hostile, and writes ours.

Files of users are opened in a limited child process only (``child``); what crosses back is JSON and
pixels. The parent side is ``inspect``, ``reader``, ``staging`` and ``writing``; ``facts``, ``bands``,
``placing`` and ``refusals`` are pure.
"""
