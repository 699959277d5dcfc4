"""Holds what a receiver was sent against the library of Standard Webhooks, which knows nothing of the sender.

The argument is a file of JSON: a list of {"secret", "headers", "body", "good"}.
"""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def is_good(case):
    try:
        Webhook(case["secret"]).verify(case["body"], case["headers"])
        return True
    except WebhookVerificationError:
        return False


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    assert len(cases) >= 8, cases
    for case in cases:
        assert is_good(case) == case["good"], case
    print(len(cases))


main()
