"""Eight different things that customers ask, for tests that need several conversations."""

EIGHT = (
    "I want to cancel my order",
    "How do I get my money back?",
    "Where is my parcel?",
    "I forgot my password",
    "Can I change the shipping address?",
    "Which payment methods do you take?",
    "I need an invoice for last month",
    "How do I open a new account?",
)
