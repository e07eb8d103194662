"""The views of a text that the detectors see, each with the way back to the text as given."""
