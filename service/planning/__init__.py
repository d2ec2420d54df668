"""Pure planning: grids, cores, blocks, preflight rules, estimates. No pixel is read here."""
