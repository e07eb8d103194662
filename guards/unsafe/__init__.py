"""Requests that a shop must not serve: crimes, other people's data, secrets; and people who may harm themselves."""
