"""The engine alone behind the real HTTP service: what is compared with other engines' servers."""
