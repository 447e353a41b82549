"""The Hub API, one module per noun; the contract is the stock clients."""
