"""A sentence encoder to the int8 ONNX model of a bundle that search takes."""
