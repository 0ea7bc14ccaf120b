"""A shoot at work: shots handed out to WebUIs, their pictures taken in, all of it in a ledger."""
