"""The commands of ``glasshub``, one module per noun."""
