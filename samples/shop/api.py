"""samples/shop/api.py - the shop's API: Flask under gunicorn.

One JSON line per event on standard output.  The request ID comes from the X-Request-ID header (nginx sets it) or is
made here, and goes with every line, every cache call, every statement and every job for the worker.

GET  /products/<id>   Redis first, PostgreSQL second
POST /orders          {"product": 7, "quantity": 2}: queued for the worker
GET  /healthz
"""
import json
import os
import random
import sys
import time
import uuid

import flask
import psycopg2
import redis

app = flask.Flask(__name__)
cache = redis.Redis(host="127.0.0.1", port=int(os.environ["SHOP_REDIS_PORT"]), socket_timeout=2)
FAULTS = float(os.environ.get("SHOP_FAULTS", "0.02"))  # share of requests in which the payment service fails


def log(level, message, service="shop-api", **fields):
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".%06dZ" % (now % 1 * 1e6)
    row = {"timestamp": stamp, "level": level, "service": service, "message": message}
    if flask.has_request_context():
        row["request_id"] = flask.g.request_id
    row.update(fields)
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def database():
    """A connection whose statements carry the request ID into PostgreSQL's own log."""
    if "db" not in flask.g:
        flask.g.db = psycopg2.connect(os.environ["SHOP_DSN"], application_name=flask.g.request_id)
        flask.g.db.autocommit = True
    return flask.g.db


@app.before_request
def begin():
    given = flask.request.headers.get("X-Request-ID", "")
    flask.g.request_id = given if 0 < len(given) <= 64 else "req_" + uuid.uuid4().hex[:16]
    flask.g.began = time.monotonic()


@app.after_request
def finish(response):
    took = round((time.monotonic() - flask.g.began) * 1000, 3)
    level = "error" if response.status_code >= 500 else "info"
    if flask.request.path != "/healthz":
        log(level, f"{flask.request.method} {flask.request.path} answered {response.status_code}",
            method=flask.request.method, path=flask.request.path, status=response.status_code, duration_ms=took)
    response.headers["X-Request-ID"] = flask.g.request_id
    return response


@app.teardown_request
def close(_error):
    if "db" in flask.g:
        flask.g.db.close()


@app.get("/healthz")
def healthz():
    return {"ok": True}


@app.get("/products/<int:number>")
def product(number):
    key = f"product:{number}"
    began = time.monotonic()
    cached = cache.get(key)
    took = round((time.monotonic() - began) * 1000, 3)
    if cached:
        log("debug", f"cache hit for {key}", service="shop-cache", key=key, duration_ms=took)
        return flask.Response(cached, mimetype="application/json")
    log("debug", f"cache miss for {key}, asking the database", service="shop-cache", key=key, duration_ms=took)
    with database().cursor() as rows:
        rows.execute("SELECT id, name, price_cents FROM product WHERE id = %s", (number,))
        row = rows.fetchone()
    if row is None:
        log("warning", f"no product {number}", product=number)
        return {"error": "no such product"}, 404
    body = json.dumps({"id": row[0], "name": row[1], "price_cents": row[2]})
    cache.set(key, body, ex=30)
    return flask.Response(body, mimetype="application/json")


@app.post("/orders")
def order():
    wanted = flask.request.get_json(silent=True) or {}
    number, quantity = wanted.get("product"), wanted.get("quantity", 1)
    if not isinstance(number, int) or not isinstance(quantity, int) or quantity < 1:
        log("warning", "order refused: product and quantity must be numbers")
        return {"error": "product and quantity must be numbers"}, 400
    if random.random() < FAULTS or wanted.get("fail"):
        log("error", f"payment provider refused: timeout after {random.randint(900, 3000)} ms", product=number,
            error="PaymentTimeout")
        return {"error": "payment failed"}, 502
    job = {"request_id": flask.g.request_id, "product": number, "quantity": quantity}
    cache.rpush("orders", json.dumps(job))
    log("info", f"order for {quantity} of product {number} queued", product=number, quantity=quantity)
    return {"queued": True}, 202


log("info", "shop API starts", pid=os.getpid())
