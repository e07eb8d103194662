"""A Detoxify checkpoint to the int8 ONNX guard of a bundle, with calibrated thresholds."""
