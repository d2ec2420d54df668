"""Workers: lease runs from the store, segment them, finish sheets."""
