"""The fact guard: what an answer states as a fact must occur in a text that the shop or the customer has given."""
