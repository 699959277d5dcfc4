"""Calls the simulator through OpenAI's own client, and fails where that cannot read an answer or reads something else.

`OPENAI_BASE_URL` and `OPENAI_API_KEY` say where and with which key.
"""

import json

import openai

MODEL = "gpt-5.4-mini"
ASK = "Write about our coffee from Huila."
SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "hashtags": {"type": "array", "items": {"type": "string"}}},
    "required": ["text", "hashtags"],
    "additionalProperties": False,
}


def responses(client):
    answer = client.responses.create(model=MODEL, instructions="Be brief.", input=ASK, store=False)
    assert "coffee from Huila" in answer.output_text, answer
    assert answer.status == "completed" and answer.error is None and answer.incomplete_details is None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0
    assert answer.usage.input_tokens_details.cached_tokens == 0
    assert answer._request_id.startswith("req_")

    types, text = [], ""
    with client.responses.create(model=MODEL, instructions="Be brief.", input=ASK, stream=True) as stream:
        for number, event in enumerate(stream):
            assert event.sequence_number == number, event
            types.append(event.type)
            if event.type == "response.output_text.delta":
                text += event.delta
    assert text == answer.output_text == event.response.output_text
    assert types[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert types[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert event.response.usage == answer.usage

    form = {"type": "json_schema", "name": "post", "schema": SCHEMA, "strict": True}
    answer = client.responses.create(model=MODEL, input=ASK, text={"format": form}, reasoning={"effort": "low"})
    assert set(json.loads(answer.output_text)) == {"text", "hashtags"}


def chat(client):
    messages = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": ASK}]
    answer = client.chat.completions.create(model=MODEL, messages=messages, max_completion_tokens=500)
    choice = answer.choices[0]
    assert choice.finish_reason == "stop" and "coffee from Huila" in choice.message.content, answer
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0

    options = {"include_usage": True}
    stream = client.chat.completions.create(model=MODEL, messages=messages, stream=True, stream_options=options)
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert text == choice.message.content
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == [] and chunks[-1].usage == answer.usage

    form = {"type": "json_schema", "json_schema": {"name": "post", "schema": SCHEMA, "strict": True}}
    answer = client.chat.completions.create(model="gpt-4.1", messages=messages, response_format=form, temperature=0.5)
    assert set(json.loads(answer.choices[0].message.content)) == {"text", "hashtags"}


def refused(error, code, call, **arguments):
    try:
        call(**arguments)
    except error as refusal:
        assert refusal.code == code, refusal
        assert refusal.request_id.startswith("req_")
        return refusal
    raise AssertionError(f"{error.__name__} was expected")


def refusals(client):
    create = client.responses.create
    stranger = client.with_options(api_key="sk-of-somebody-else-entirely")
    refused(openai.AuthenticationError, "invalid_api_key", stranger.responses.create, model=MODEL, input=ASK)
    refused(openai.NotFoundError, "model_not_found", create, model="gpt-nowhere", input=ASK)
    wrong = refused(openai.BadRequestError, "unsupported_parameter", create, model=MODEL, input=ASK, temperature=1)
    assert wrong.param == "temperature" and wrong.type == "invalid_request_error"
    refused(openai.BadRequestError, "unknown_parameter", create, model=MODEL, input=ASK, extra_body={"foo": 1})
    slow = refused(openai.RateLimitError, "rate_limit_exceeded", client.models.retrieve, model="rate-limited")
    assert slow.response.headers["retry-after"] == "1"


def main():
    client = openai.OpenAI(max_retries=0)
    responses(client)
    chat(client)
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).object == "model"
    refusals(client)


main()
