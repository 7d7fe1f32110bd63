/*
 * doc/keys.h - what a YAML file is about.
 * One job: find the first of some names among the keys of the outermost mapping.
 * Floor: 1 (uses base).
 */
#pragma once

#include "base/str.h"

/** keys_first(text, names, n): the index of the name that stands first; ${n}: none, also where ${text} is no YAML before it. */
size_t keys_first(struct str text, const char *const *names, size_t n);
