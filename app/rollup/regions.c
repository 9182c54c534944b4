/*
 * regions.c: see regions.h.
 */
#include "rollup/regions.h"

#include "livepeer/livepeer.h"

#include <string.h>

struct label {
    struct text name;
    struct text region;
};

struct label_map {
    struct label *list;
    size_t count;
};

struct regions {
    struct label_map gateways;
    struct label_map orchestrators; /* names in lower case, as addresses are */
};

static void add_label(void *context, struct text name, struct text region)
{
    struct label_map *map = context;
    map->list[map->count++] = (struct label){name, region};
}

/* TEXT was checked when it was read. */
static struct label_map map_of(struct arena *arena, const char *text)
{
    struct label_map map = {0};
    size_t most = 1;
    for (const char *at = text; *at; at++)
        most += *at == ',';
    map.list = arena_array(arena, most, sizeof *map.list);
    (void)config_labels(text, add_label, &map);
    return map;
}

struct regions *regions_of(struct arena *arena, const struct config *config)
{
    struct regions *regions = arena_alloc(arena, sizeof *regions);
    regions->gateways = map_of(arena, config->regions_gateways);
    regions->orchestrators = map_of(arena, config->regions_orchestrators);
    struct label_map *map = &regions->orchestrators;
    for (size_t i = 0; i < map->count; i++)
        map->list[i].name = text_lower(arena, map->list[i].name);
    return regions->gateways.count || map->count ? regions : NULL;
}

static const struct label *find(const struct label_map *map, struct text name)
{
    for (size_t i = 0; i < map->count; i++)
        if (name.length && text_equal(map->list[i].name, name))
            return &map->list[i];
    return NULL;
}

void regions_label(const struct regions *regions, struct fields fields,
                   void *row)
{
    const struct field *region = fields_named(fields, fields.count, "region");
    const struct field *gateway = fields_named(fields, fields.count, "gateway");
    const struct field *address =
        fields_named(fields, fields.count, "orchestrator_address");
    const struct label *label = NULL;
    if (!regions || !region)
        return;
    if (gateway)
        label = find(&regions->gateways, field_text(gateway, row));
    if (!label && address)
        label = find(&regions->orchestrators, field_text(address, row));
    if (label)
        *(struct text *)(void *)((char *)row + region->offset) = label->region;
}
