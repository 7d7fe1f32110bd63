/*
 * config/config_check.h - what values mean to other rooms.
 * One job: ask the rooms that will use a value whether they can.
 * Floor: 5 (uses ingest, logsql, parsers, base).
 */
#pragma once

#include "config/config.h"
#include "doc/walk.h"

/** config_check_filter(w, node, key, text): a mistake at ${node} unless ${text} is a LogsQL filter. */
void config_check_filter(struct walk *w, const yaml_node_t *node, const char *key, struct str text);

/** config_check_redact(w, node, redact): a mistake unless PCRE2 compiles the pattern, and it has the groups of the replacement. */
void config_check_redact(struct walk *w, const yaml_node_t *node,
    const struct config_redact *redact);

/** config_check_input(w, node, in): paths, parser, multiline, drop filter, stream and redactions of one source. */
void config_check_input(struct walk *w, const yaml_node_t *node, const struct config_input *in);
