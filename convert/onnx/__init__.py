"""What guard and embedding share: an encoder's tokenizer, its way to ONNX and to int8, and running it."""
