"""The unit tree and the policies of districts, as every service knows them."""
