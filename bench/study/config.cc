#include "study/config.h"

#include <set>

#include "core/json.h"
#include "study/keys.h"

namespace hedge::study {
namespace {

Result<Net> read_net(const Json& json, const char* key, const std::string& where) {
  HEDGE_TRY(const auto field, get_field<Json>(json, key, where));
  const auto place = where + ": " + key;
  HEDGE_CHECK(check_keys(field, {"net", "from", "classes", "flags"}, place));
  Net net;
  HEDGE_CHECK(read_optional(field, "net", place, net.net));
  HEDGE_CHECK(read_optional(field, "from", place, net.from));
  if (net.net.empty() == net.from.empty())
    return Error{.code = ErrorCode::kBadFormat, .what = "a network is either a net to train or taken from another pair", .where = place};
  HEDGE_CHECK(read_optional(field, "classes", place, net.classes));
  HEDGE_CHECK(read_optional(field, "flags", place, net.flags));
  return net;
}

/// A router's name alone, or an object with its fields.
Result<Router> read_router(const Json& json, const std::string& where) {
  Router router;
  if (json.is_string()) {
    router.name = router.router = json.get<std::string>();
    return router;
  }
  HEDGE_CHECK(check_keys(json, {"name", "router", "on", "samples", "flags"}, where));
  HEDGE_TRY(router.name, get_field<std::string>(json, "name", where));
  HEDGE_TRY(router.router, get_field<std::string>(json, "router", where));
  HEDGE_CHECK(read_optional(json, "on", where, router.on));
  HEDGE_CHECK(read_optional(json, "samples", where, router.samples));
  HEDGE_CHECK(read_optional(json, "flags", where, router.flags));
  if (router.on != "train" && router.on != "calibration")
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "no such split to learn from",
                 .where = where,
                 .got = router.on,
                 .expected = "train or calibration"};
  if (router.samples < 0)
    return Error{
        .code = ErrorCode::kBadFormat, .what = "a number of images is negative", .where = where, .got = std::to_string(router.samples)};
  return router;
}

Result<std::vector<Router>> read_routers(const Json& json, const std::string& where) {
  HEDGE_TRY(const auto list, get_field<Json>(json, "routers", where));
  if (!list.is_array()) return Error{.code = ErrorCode::kBadFormat, .what = "the routers are no list", .where = where};
  std::vector<Router> routers;
  std::set<std::string> names;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto place = where + ": routers[" + std::to_string(i) + "]";
    HEDGE_TRY(auto router, read_router(list[i], place));
    if (!names.insert(router.name).second)
      return Error{.code = ErrorCode::kBadFormat, .what = "a router's name is given twice", .where = place, .got = router.name};
    routers.push_back(std::move(router));
  }
  return routers;
}

}  // namespace

Result<Config> read_config(const std::filesystem::path& path) {
  const auto where = path.string();
  HEDGE_TRY(const auto json, read_json(path));
  HEDGE_CHECK(check_keys(
      json, {"pair", "data", "note", "base", "global", "model_seeds", "router_seeds", "routers", "adapt", "baselines", "distilled"},
      where));
  Config config;
  HEDGE_TRY(config.pair, get_field<std::string>(json, "pair", where));
  HEDGE_TRY(config.data, get_field<std::string>(json, "data", where));
  HEDGE_TRY(config.base, read_net(json, "base", where));
  HEDGE_TRY(config.global, read_net(json, "global", where));
  HEDGE_TRY(config.model_seeds, get_field<std::vector<std::int64_t>>(json, "model_seeds", where));
  HEDGE_TRY(config.router_seeds, get_field<std::vector<std::int64_t>>(json, "router_seeds", where));
  HEDGE_TRY(config.routers, read_routers(json, where));
  HEDGE_CHECK(read_optional(json, "note", where, config.note));
  HEDGE_CHECK(read_optional(json, "adapt", where, config.adapt));
  HEDGE_CHECK(read_optional(json, "baselines", where, config.baselines));
  if (json.contains("distilled")) {
    HEDGE_TRY(config.distilled, read_net(json, "distilled", where));
  }
  if (config.model_seeds.empty() || config.router_seeds.empty() || config.routers.empty())
    return Error{.code = ErrorCode::kBadFormat, .what = "a study needs a model seed, a router seed and a router", .where = where};
  return config;
}

}  // namespace hedge::study
