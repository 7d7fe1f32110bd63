/*
 * tests/bench/gen.c - JSON log lines with request IDs, for the benchmarks.
 * One job: the same n lines for the same seed, on any machine.  gen SEED LINES
 *
 * A dozen services, requests of three to twelve lines that interleave, latencies with a heavy tail.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPEN = 256, SERVICES = 12 };

static uint64_t state;

/* splitmix64 */
static uint64_t
next(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned
below(unsigned n)
{
	return (unsigned)(((next() >> 32) * n) >> 32);
}

struct request {
	uint64_t hi, lo;
	unsigned left, user;
};

static void
print_message(unsigned kind, unsigned ms)
{
	switch (kind % 8) {
	case 0:
		printf("GET /api/v1/products/%u completed with status %u in %u ms", below(100000),
		    below(50) ? 200 : 503, ms);
		break;
	case 1:
		printf("cache miss for key product:%u, fetching from database", below(1000000));
		break;
	case 2:
		printf("connection to database orders at 10.3.%u.%u refused: timeout after %u ms",
		    below(256), below(256), ms);
		break;
	case 3:
		printf("payment %08" PRIx64 " authorized, amount %u.%02u EUR", next() >> 32,
		    below(500), below(100));
		break;
	case 4:
		printf("user alice%u logged in from 10.%u.%u.%u", below(100), below(256),
		    below(256), below(256));
		break;
	case 5:
		printf("order %u created with %u items", below(10000000), 1 + below(9));
		break;
	case 6:
		printf("health check ok");
		break;
	default:
		printf("acquired connection %u from pool in %u ms", below(64), ms);
	}
}

int
main(int argc, char **argv)
{
	static const char *const services[SERVICES] = { "api-gateway", "checkout", "auth",
		"catalog", "search", "payment", "inventory", "shipping", "notification", "profile",
		"recommendation", "billing" };
	static const char *const levels[] = { "DEBUG", "INFO", "INFO", "INFO", "INFO", "INFO",
		"WARN", "ERROR" };
	static struct request open[OPEN];
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000, i, us = 1700000000000000;
	unsigned kind, ms;
	struct request *r;

	state = argc > 1 ? strtoull(argv[1], NULL, 10) : 42;
	for (i = 0; i < n; i++) {
		r = &open[below(OPEN)];
		if (r->left == 0)
			*r =
			    (struct request){ next(), next(), 3 + below(10), 1000 + below(200000) };
		r->left--;
		us += below(300000);
		kind = below(64);
		ms = 2 + below(20) * below(20) / (1 + below(20));
		printf("{\"timestamp\":\"%" PRIu64 ".%06" PRIu64
		       "\",\"level\":\"%s\",\"service\":\"%s\",\"host\":\"web%u\","
		       "\"request_id\":\"%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-a%03" PRIx64
		       "-%012" PRIx64 "\",\"user_id\":%u,"
		       "\"duration_ms\":%u.%03u,\"message\":\"",
		    us / 1000000, us % 1000000, levels[kind % 8], services[below(SERVICES)],
		    below(9), r->hi >> 32, r->hi & 0xffff, (r->hi >> 16) & 0xfff, r->lo >> 52,
		    r->lo & 0xffffffffffff, r->user, ms, below(1000));
		print_message(kind, ms);
		printf("\"}\n");
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
