"""How far the quantised model is from the one that was trained."""
