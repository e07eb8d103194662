"""A report as one HTML file: verdict, machine, plots and tables, without a word from the network."""

from bench.page.document import html_page

__all__ = ["html_page"]
