#!/usr/bin/python3
"""samples/shop/mailbox.py FOLDER - an SMTP server on this machine: each mail a file of its own; the port is in FOLDER/port."""
import asyncio
import os
import sys

from aiosmtpd.smtp import SMTP


class Mailbox:
    def __init__(self, folder):
        self.folder, self.n = folder, 0

    async def handle_DATA(self, server, session, envelope):
        self.n += 1
        put(os.path.join(self.folder, f"{self.n}.eml"), envelope.original_content)
        return "250 kept"


def put(path, content):
    with open(path + ".part", "wb") as f:
        f.write(content)
    os.rename(path + ".part", path)


async def main(folder):
    os.makedirs(folder, exist_ok=True)
    mailbox = Mailbox(folder)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox), "127.0.0.1", 0)
    put(os.path.join(folder, "port"), str(server.sockets[0].getsockname()[1]).encode())
    await server.serve_forever()


asyncio.run(main(sys.argv[1]))
