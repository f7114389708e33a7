"""Providers who have no account: their registered contact answers by a link, or the sender rings and writes down what was said."""
