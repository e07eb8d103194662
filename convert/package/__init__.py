"""One signed archive for a box: application, wheels, bundle, checksums; made, verified and unpacked."""
