"""Sends deliveries that the specification's library signed, right and wrong ones, and holds the receiver's verdict
against that of the library.

The arguments are the receiver's URL and its secret.
"""

import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook, WebhookVerificationError

URL, SECRET = sys.argv[1:]
OTHER_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"type":"post.published","data":{"text":"Grüße, 世界 🥐"}}'


def headers(secret=SECRET, body=BODY, message="msg_1", away=timedelta()):
    sent = datetime.now(tz=timezone.utc) + away
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, sent, body),
    }


def library_takes(body, given):
    try:
        Webhook(SECRET).verify(body, given)
        return True
    except (WebhookVerificationError, ValueError):
        return False


def receiver_takes(body, given):
    given = {**given, "content-type": "application/json"}
    try:
        return urllib.request.urlopen(urllib.request.Request(URL, body.encode(), given)).status == 200
    except urllib.error.HTTPError as refusal:
        assert refusal.code in (400, 401), refusal
        return False


def without(name):
    return {key: value for key, value in headers().items() if key != name}


def signed_also(*signatures):
    given = headers()
    return {**given, "webhook-signature": " ".join([*signatures, given["webhook-signature"]])}


def main():
    wrong = headers(OTHER_SECRET)["webhook-signature"]
    for takes, body, given in [
        (True, BODY, headers()),
        (True, "{}", headers(body="{}", message="msg_2")),
        (True, BODY, headers(away=timedelta(minutes=-4))),
        (True, BODY, headers(away=timedelta(minutes=4))),
        (True, BODY, signed_also(wrong, "v1a,YWJj")),
        (False, BODY, headers(OTHER_SECRET)),
        (False, BODY + " ", headers()),
        (False, BODY, {**headers(), "webhook-id": "msg_2"}),
        (False, BODY, headers(away=timedelta(minutes=-6))),
        (False, BODY, headers(away=timedelta(minutes=6))),
        (False, BODY, without("webhook-id")),
        (False, BODY, without("webhook-timestamp")),
        (False, BODY, without("webhook-signature")),
    ]:
        verdicts = (library_takes(body, given), receiver_takes(body, given))
        assert verdicts == (takes, takes), (verdicts, body, given)


main()
