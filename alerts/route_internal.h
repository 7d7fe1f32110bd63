/*
 * alerts/route_internal.h - inside the routing configuration.
 * One job: what the files that read alertmanager.yml share.
 * Floor: 4 (uses doc, base).
 */
#pragma once

#include "alerts/route.h"
#include "doc/walk.h"

enum {
	ROUTE_BYTES_MAX = 1 << 20,
	ROUTE_DEPTH_MAX = 32,   /* of routes in routes */
	ROUTE_NODES_MAX = 5000, /* routes of a file, aliases counted as often as they stand there */
	ROUTE_MERGES_MAX = 5000, /* pairs that << brings in */
};

/* One reading of a file.  The walk stands first, so that what a table calls can find the rest. */
struct route_parse {
	struct walk walk;
	struct buf *notes;
	struct str secrets; /* folder of relative file names */
	struct routing *routing;

	/* Parts of the file, read in the order that they need each other. */
	yaml_node_t *global, *route, *inhibits, *receivers, *mutes, *times;

	struct integration mail; /* what global says of mail */
	struct route_http http;  /* … and of http_config */
	size_t n_routes;
};

static inline struct route_parse *
route_parse_of(struct walk *w)
{
	return (struct route_parse *)w;
}

/* route.c */
/** route_not_done: a key of Alertmanager's that is known and not done: a note. */
void route_not_done(struct walk *w, yaml_node_t *node, void *base);
/** route_inline: a secret's value in the file: a mistake that says what to write instead. */
void route_inline(struct walk *w, yaml_node_t *node, void *base);
/** route_map(w, node, keys, n, base): walk_map, with a note for each key whose call is route_not_done, a mistake for route_inline. */
void route_map(struct walk *w, yaml_node_t *node, const struct walk_key *keys, size_t n,
    void *base);
/** route_span(w, node, zero, ret): a duration as Prometheus writes it; ${zero}: 0 is one. */
void route_span(struct walk *w, yaml_node_t *node, bool zero, struct span *ret);
/** route_is_null(node): nothing stands behind the key. */
bool route_is_null(const yaml_node_t *node);

/* route_tree.c */
void route_read_tree(struct route_parse *rp);
void route_read_inhibits(struct route_parse *rp);

/* route_receiver.c */
void route_read_global(struct route_parse *rp);
void route_read_receivers(struct route_parse *rp);

/* route_time.c */
void route_read_intervals(struct route_parse *rp);
bool route_knows_interval(const struct routing *r, struct str name);

/* route_text.c */
/** route_merge(doc): << brought in, as far as ROUTE_MERGES_MAX; false: too much, or no memory. */
bool route_merge(yaml_document_t *doc);
/** route_mask(doc, text, arena, ret): ${text} with <secret> for each secret's value.  Errors: -ENOMEM. */
int route_mask(yaml_document_t *doc, struct str text, struct arena *arena, struct str *ret);

/* route_zone.c */
struct zone;
enum { ZONE_E_BAD = 1 };
/** zone_load(name, arena, ret): Europe/Berlin, UTC, Local.  ZONE_E_BAD: no such zone. */
int zone_load(struct str name, struct arena *arena, const struct zone **ret);
/** zone_parse(bytes, arena, ret): a TZif file's bytes. */
int zone_parse(struct str bytes, struct arena *arena, const struct zone **ret);
/** zone_offset(z, t): seconds east of UTC at ${t}. */
int zone_offset(const struct zone *z, struct wall t);
