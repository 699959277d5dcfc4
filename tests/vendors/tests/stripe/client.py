"""Does with Stripe's own library what the API is for, and holds every answer against the library's types: a member that
a class does not know, a word that is not one of its words, and a member that must be there and is not, unless it is left
out on purpose, are errors.

The arguments are the simulator's origin, the API key and the simulator's time at the start.
"""

import json
import sys
import typing
import urllib.request
from decimal import Decimal

import stripe
from stripe._stripe_object import StripeObject, UntypedStripeObject

ORIGIN, API_KEY, START = sys.argv[1:]
stripe.api_base = ORIGIN
stripe.api_key = API_KEY
stripe.max_network_retries = 0

DAY = 24 * 60 * 60

# What must be there by the types, and is left out on purpose.
LEFT_OUT = set()


class Names(dict):
    """What the library's annotations name. It loads its classes when they are asked for, and some go by another name there."""

    def __missing__(self, name):
        for place in (stripe, stripe.test_helpers, stripe.billing, stripe.billing_portal, stripe.radar, stripe.tax):
            found = getattr(place, name, None) or getattr(place, name.removesuffix("Resource"), None)
            if found is not None:
                return found
        raise KeyError(name)


NAMES = Names()
CLASSES = {
    "account": stripe.Account,
    "billing_portal.session": stripe.billing_portal.Session,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "invoice": stripe.Invoice,
    "invoice_payment": stripe.InvoicePayment,
    "payment_intent": stripe.PaymentIntent,
    "price": stripe.Price,
    "product": stripe.Product,
    "refund": stripe.Refund,
    "subscription": stripe.Subscription,
}
seen = set()


def control(act, **content):
    body = json.dumps(content).encode()
    return json.load(urllib.request.urlopen(f"{ORIGIN}/_sim/stripe/{act}", body))


def advance(days):
    urllib.request.urlopen(f"{ORIGIN}/_sim/stripe/advance", str(days * DAY).encode())


def wrongs(value, hint, path):
    """What is wrong with a value, by the type that the library gives it."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        words = [word for arg in args if typing.get_origin(arg) is typing.Literal for word in typing.get_args(arg)]
        if words and isinstance(value, str):
            return [] if value in words else [f"{path} is {value!r}, and not one of {words}"]
        tried = [wrongs(value, arg, path) for arg in args]
        return [] if [] in tried else min((wrong for wrong in tried if wrong), key=lambda wrong: ("no " in wrong[0], len(wrong)))
    if origin is typing.Literal:
        return [] if value in args else [f"{path} is no {args}: {value!r}"]
    if hint is typing.Any or hint is type(None) and value is None:
        return []
    if origin is list:
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [wrong for at, one in enumerate(value) for wrong in wrongs(one, args[0], f"{path}[{at}]")]
    if origin is stripe.ListObject:
        if not isinstance(value, dict) or set(value) != {"object", "data", "has_more", "url"}:
            return [f"{path} is no list of objects"]
        return wrongs(value["data"], typing.List[args[0]], f"{path}.data")
    if origin is UntypedStripeObject:
        return [] if isinstance(value, dict) else [f"{path} is no object"]
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        return wrongs_of_object(value, hint, path)
    of = str if hint is Decimal else hint
    return [] if type(value) is of else [f"{path} is no {hint}: {value!r}"]


def wrongs_of_object(value, cls, path):
    if not isinstance(value, dict):
        return [f"{path} is no {cls.__qualname__}"]
    hints = typing.get_type_hints(cls, localns=NAMES)
    hints = {name: hint for name, hint in hints.items() if typing.get_origin(hint) is not typing.ClassVar}
    known = {name: hint for name, hint in hints.items() if not name.startswith("_")}
    found = [f"{path}.{name} is not known to {cls.__qualname__}" for name in value if name not in known]
    for name, hint in known.items():
        if name in value:
            found += wrongs(value[name], hint, f"{path}.{name}")
        elif type(None) not in typing.get_args(hint) and f"{cls.__qualname__}.{name}" not in LEFT_OUT:
            found.append(f"{path}.{name} is missing")
    return found


def check(thing):
    """Holds an object, or a list of them, against the library's types."""
    value = json.loads(str(thing)) if isinstance(thing, StripeObject) else thing
    if value["object"] == "list":
        return [check(one) for one in value["data"]]
    found = wrongs_of_object(value, CLASSES[value["object"]], value["object"])
    assert not found, "\n".join(found)
    seen.add(value["object"])
    return thing


def doubt():
    """That the types are asked at all."""
    line = {"object": "line_item", "amount": "1", "price": "price_1", "parent": {"type": "other"}}
    found = wrongs_of_object(line, stripe.InvoiceLineItem, "line")
    assert "line.price is not known to InvoiceLineItem" in found, found
    assert "line.discountable is missing" in found and any(wrong.startswith("line.amount is no") for wrong in found), found
    assert any(wrong.startswith("line.parent.type is 'other'") for wrong in found), found


def priced(amount, **more):
    return check(stripe.Price.create(currency="usd", unit_amount=amount, **more))


def session_of(customer, price, mode, **more):
    made = stripe.checkout.Session.create(
        mode=mode,
        customer=customer.id,
        line_items=[{"price": price.id, "quantity": 1}],
        success_url="https://app.example/ok?session_id={CHECKOUT_SESSION_ID}",
        cancel_url="https://app.example/no",
        client_reference_id="user_42",
        metadata={"user_id": "42"},
        allow_promotion_codes=True,
        **more,
    )
    check(made)
    return made


def sell():
    product = check(stripe.Product.create(name="Credits", metadata={"kind": "credits"}))
    check(stripe.Product.retrieve(product.id))
    once = priced(500, product=product.id, lookup_key="credits_500", nickname="500")
    monthly = priced(900, recurring={"interval": "month"}, product_data={"name": "Pro"}, lookup_key="pro_monthly")
    yearly = priced(9000, recurring={"interval": "year"}, product=monthly.product, metadata={"plan": "pro"})
    found = stripe.Price.list(lookup_keys=["credits_500", "pro_monthly"], active=True, expand=["data.product"])
    assert {price.id for price in found.data} == {once.id, monthly.id}, found
    assert found.data[0].product.name == "Pro", found
    check(found)
    assert check(stripe.Price.retrieve(yearly.id, expand=["product"])).product.name == "Pro"
    return once, monthly, yearly


def buy(customer, once):
    created = session_of(
        customer,
        once,
        "payment",
        invoice_creation={"enabled": True},
        payment_intent_data={"metadata": {"user_id": "42"}},
        expand=["line_items"],
    )
    assert created.line_items.data[0].price.id == once.id
    control("pay", session=created.id)
    paid = check(stripe.checkout.Session.retrieve(created.id, expand=["line_items"]))
    assert (paid.status, paid.payment_status, paid.metadata["user_id"]) == ("complete", "paid", "42")
    intent = check(stripe.PaymentIntent.retrieve(paid.payment_intent))
    check(stripe.Invoice.retrieve(paid.invoice, expand=["payments"]))
    check(stripe.InvoicePayment.list(payment={"type": "payment_intent", "payment_intent": intent.id}))
    charge = check(stripe.Charge.retrieve(intent.latest_charge))
    check(stripe.Refund.create(charge=charge.id, amount=100, idempotency_key="refund-1"))
    again = stripe.Refund.create(charge=charge.id, amount=100, idempotency_key="refund-1")
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert len(stripe.Refund.list(charge=charge.id).data) == 1
    dispute = control("dispute", charge=charge.id)
    check(stripe.Dispute.retrieve(dispute["id"]))
    control("close_dispute", dispute=dispute["id"], won=True)
    check(stripe.Dispute.list(charge=charge.id))
    check(stripe.Charge.list(payment_intent=intent.id))
    later = session_of(customer, once, "payment")
    control("pay_later", session=later.id)
    control("settle_later", session=later.id, ok=True)
    check(stripe.checkout.Session.expire(session_of(customer, once, "payment").id))


def subscribe(customer, monthly, yearly):
    created = session_of(
        customer,
        monthly,
        "subscription",
        subscription_data={"metadata": {"user_id": "42"}, "trial_period_days": 7},
    )
    control("pay", session=created.id)
    subscription = check(stripe.Subscription.retrieve(stripe.checkout.Session.retrieve(created.id).subscription))
    assert subscription.status == "trialing" and subscription.metadata["user_id"] == "42"
    advance(10)
    check(stripe.Subscription.retrieve(subscription.id))
    item = subscription["items"].data[0]
    changed = stripe.Subscription.modify(
        subscription.id,
        items=[{"id": item.id, "price": yearly.id}],
        proration_behavior="always_invoice",
        metadata={"plan": "yearly"},
    )
    check(changed)
    assert changed["items"].data[0].price.id == yearly.id
    control("decline", customer=customer.id, declines=True)
    advance(366)
    assert check(stripe.Subscription.retrieve(subscription.id)).status == "past_due"
    control("decline", customer=customer.id, declines=False)
    control("retry", invoice=stripe.Invoice.list(status="open").data[0].id)
    check(stripe.Subscription.modify(subscription.id, cancel_at_period_end=True))
    assert check(stripe.Subscription.cancel(subscription.id)).status == "canceled"
    check(stripe.Subscription.list(customer=customer.id, status="all"))
    check(stripe.Invoice.list(customer=customer.id, subscription=subscription.id, expand=["data.payments"]))
    check(stripe.billing_portal.Session.create(customer=customer.id, return_url="https://app.example/billing"))


def refuse():
    stripe.Customer.create(name="Ada", idempotency_key="customer-1")
    for refusal, call in [
        (stripe.InvalidRequestError, lambda: stripe.Customer.create(nom="x")),
        (stripe.InvalidRequestError, lambda: stripe.Customer.retrieve("cus_1")),
        (stripe.AuthenticationError, lambda: stripe.Account.retrieve(api_key="sk_test_other")),
        (stripe.IdempotencyError, lambda: stripe.Customer.create(name="Eve", idempotency_key="customer-1")),
    ]:
        try:
            call()
            raise AssertionError(f"{refusal} was expected")
        except refusal as error:
            assert error.request_id.startswith("req_"), error


def events():
    """All of them, in pages, each of which is of a known type about a known object."""
    all_events = list(stripe.Event.list(limit=20).auto_paging_iter())
    assert len(all_events) > 60 and len({event.id for event in all_events}) == len(all_events)
    for event in all_events:
        check(event)
        check(event.data.object)
    check(stripe.Event.retrieve(all_events[0].id))
    assert stripe.Event.list(types=["invoice.paid", "charge.refunded"]).data


def main():
    doubt()
    check(stripe.Account.retrieve())
    customer = check(stripe.Customer.create(email="ada@example.com", name="Ada", metadata={"user_id": "42"}))
    assert customer.created == int(START), customer
    check(stripe.Customer.modify(customer.id, name="Ada L."))
    once, monthly, yearly = sell()
    buy(customer, once)
    subscribe(customer, monthly, yearly)
    check(stripe.Customer.retrieve(customer.id))
    refuse()
    events()
    assert seen == set(CLASSES), set(CLASSES) - seen


main()
