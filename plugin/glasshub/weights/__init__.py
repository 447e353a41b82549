"""What model files say of themselves in their headers: parameters, architecture. Pure: bytes in, facts out."""
