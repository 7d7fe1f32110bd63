"""samples/shop/worker.py - the shop's worker: orders from Redis into PostgreSQL, in batches."""
import json
import os
import signal
import sys
import time

import psycopg2
import redis

BATCH = 20
going = True


def log(level, message, **fields):
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".%06dZ" % (now % 1 * 1e6)
    sys.stdout.write(json.dumps({"timestamp": stamp, "level": level, "service": "shop-worker", "message": message,
                                 **fields}) + "\n")
    sys.stdout.flush()


def stop(_signal, _frame):
    global going
    going = False


def write(db, jobs):
    began = time.monotonic()
    with db.cursor() as rows:
        for job in jobs:
            rows.execute("SET application_name = %s", (job["request_id"],))
            rows.execute("INSERT INTO orders (request_id, product, quantity) VALUES (%s, %s, %s) RETURNING id",
                         (job["request_id"], job["product"], job["quantity"]))
            number = rows.fetchone()[0]
            log("info", f"order {number} written", request_id=job["request_id"], order=number,
                product=job["product"], quantity=job["quantity"])
    db.commit()
    log("debug", f"batch of {len(jobs)} orders committed", orders=len(jobs),
        duration_ms=round((time.monotonic() - began) * 1000, 3))


def main():
    queue = redis.Redis(host="127.0.0.1", port=int(os.environ["SHOP_REDIS_PORT"]))
    db = psycopg2.connect(os.environ["SHOP_DSN"], application_name="shop-worker")
    signal.signal(signal.SIGTERM, stop)
    log("info", "shop worker starts", pid=os.getpid())
    while going:
        first = queue.blpop("orders", timeout=1)
        if first is None:
            continue
        jobs = [json.loads(first[1])]
        while len(jobs) < BATCH and (more := queue.lpop("orders")) is not None:
            jobs.append(json.loads(more))
        write(db, jobs)
    log("info", "shop worker ends")


main()
