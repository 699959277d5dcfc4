"""Has Stripe's own library verify a delivery, and refuse it with another body, another secret and when it is old.

The arguments are the secret, the body, the header and the header of the same delivery ten minutes ago.
"""

import sys

import stripe

SECRET, BODY, HEADER, OLD_HEADER = sys.argv[1:]


def is_refused(body, header, secret):
    try:
        stripe.Webhook.construct_event(body, header, secret)
        return False
    except stripe.SignatureVerificationError:
        return True


event = stripe.Webhook.construct_event(BODY, HEADER, SECRET)
assert event.type == "customer.created" and event.data.object.object == "customer", event
assert is_refused(BODY + " ", HEADER, SECRET)
assert is_refused(BODY, HEADER, SECRET + "x")
assert is_refused(BODY, OLD_HEADER, SECRET)
