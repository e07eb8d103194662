"""What int8 is measured on: a user's own sentences, or pairs that say the same in other words."""

from __future__ import annotations

from pathlib import Path

from convert.embed.fidelity import SHOWN
from convert.errors import InputError

#: Two phrasings of each matter, so that every sentence has one that a search ought to find.
SENTENCES = (
    *("Where is my parcel?", "My package has not arrived yet, can you track it?"),
    *("I want my money back.", "How do I get a refund for this order?"),
    *("Cancel my order please.", "I no longer need what I bought, stop the shipment."),
    *("I forgot my password.", "I cannot log in, how do I reset my login?"),
    *("Change my delivery address.", "I moved house; please send it to my new home."),
    *("Which payment methods do you take?", "Can I pay by card or by bank transfer?"),
    *("I was charged twice.", "There are two identical debits on my statement."),
    *("Close my account.", "I would like to delete my profile with you."),
    *("I would like to talk to a person.", "Put me through to a human agent."),
    *("What does shipping cost?", "How much do I pay for delivery abroad?"),
    *("The screen arrived broken.", "My item is damaged, the glass has a crack."),
    *("You sent me the wrong size.", "I ordered large and got small."),
    *("When does the shop open on Sunday?", "What are your opening hours at the weekend?"),
    *("Send me the invoice for March.", "I need a copy of last month's bill."),
    *("How do I subscribe to the newsletter?", "Sign me up for your e-mails."),
    *("Is my card blocked?", "My bank card does not work at the machine."),
    *("I lost my credit card.", "My card was stolen, please block it."),
    *("What is the interest rate on savings?", "How much do you pay on a deposit?"),
    *("Raise my transfer limit.", "I need to send more money in a day than I am allowed."),
    *("How long does a transfer take?", "When will the money reach the other bank?"),
    *("I want to complain about your service.", "Your staff was rude and I want to report it."),
    *("Do you have this shoe in blue?", "Is the sneaker available in another colour?"),
    *("How long is the warranty?", "For how many years is the device covered?"),
    *("My voucher code is not accepted.", "The discount code says it is invalid."),
    *("Can I collect it in the store?", "Do you offer pick-up instead of delivery?"),
    *("Can I exchange this for another model?", "I'd like to swap the product."),
    *("How do I install the app?", "Where do I download your application?"),
    *("Change my phone number.", "Please update the mobile you have for me."),
    *("How do I open an account?", "I want to become a customer."),
    *("What do I need to apply for a loan?", "Which documents does a credit application take?"),
    *("Is the website down?", "The page gives an error and nothing loads."),
    *("Can I pay in instalments?", "Do you let me spread the cost over several months?"),
)


def read_sentences(path: Path | None) -> tuple[str, ...]:
    """The lines of a text file that are not blank, each once; SENTENCES for None.

    Raises:
        InputError: the file is missing, no UTF-8, or has too few.
    """
    if path is None:
        return SENTENCES
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); expected a UTF-8 text file, a sentence a line") from error
    found = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if len(found) <= SHOWN:
        raise InputError(f"{path}: {len(found)} sentences; expected more than {SHOWN}, one a line")
    return found
