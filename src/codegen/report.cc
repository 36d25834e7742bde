#include "codegen/report.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace hedge::codegen {
namespace {

/// Layers of the stem and the first two blocks.
constexpr std::size_t kFirstLayers = 6;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : " + ") + name;
  return text;
}

std::string formatted(const char* format, const std::string& name, std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  char line[256];
  std::snprintf(line, sizeof line, format, name.c_str(), static_cast<long long>(a), static_cast<long long>(b), static_cast<long long>(c),
                static_cast<long long>(d));
  return line;
}

/// "depthwise4 (24000 B), conv3 (rows, 12000 B)": what fills the arena at a step, the largest first.
std::string occupants(const Plan& plan, std::size_t step) {
  std::vector<const Buffer*> live;
  for (const auto& b : plan.buffers)
    if (b.first_step <= step && step <= b.last_step) live.push_back(&b);
  std::sort(live.begin(), live.end(), [](const Buffer* a, const Buffer* b) { return a->bytes > b->bytes; });
  std::string text;
  for (const auto* b : live) text += (text.empty() ? "" : ", ") + b->name + " " + std::to_string(b->bytes) + " B";
  return text;
}

Status check_ram(const Report& report, const Network& network, const Plan& plan, std::int64_t budget) {
  if (report.arena_bytes <= budget) return {};
  const auto most = std::max_element(report.steps.begin(), report.steps.end(),
                                     [](const auto& a, const auto& b) { return a.arena_bytes < b.arena_bytes; });
  const auto index = static_cast<std::size_t>(most - report.steps.begin());
  const auto& input = network.activations[network.input];
  std::string mend = "it holds " + occupants(plan, index) + "; ";
  // Activations grow with the image's area; the first blocks are where that counts.
  const double side = std::sqrt(static_cast<double>(budget) / static_cast<double>(report.arena_bytes));
  if (plan.steps[index].group.layers.front() < kFirstLayers)
    mend += "images of about " + std::to_string(static_cast<int>(input.height * side)) + " x " +
            std::to_string(static_cast<int>(input.width * side)) + " would fit (now " + std::to_string(input.height) + " x " +
            std::to_string(input.width) + "), or fewer channels in the first blocks";
  else
    mend += "fewer channels or a smaller expansion here, or stride 2 earlier";
  return Error{.code = ErrorCode::kUnreachable,
               .what = "the arena does not fit the RAM",
               .where = "layer " + joined(most->layers),
               .got = std::to_string(report.arena_bytes) + " B",
               .expected = "at most " + std::to_string(budget) + " B",
               .hint = mend};
}

Status check_flash(const Report& report, std::int64_t budget) {
  const auto needed = report.constant_bytes + kCodeBytesAllowed;
  if (needed <= budget) return {};
  const auto most = std::max_element(report.steps.begin(), report.steps.end(),
                                     [](const auto& a, const auto& b) { return a.constant_bytes < b.constant_bytes; });
  return Error{.code = ErrorCode::kUnreachable,
               .what = "constants and code do not fit the flash",
               .where = "layer " + joined(most->layers),
               .got = std::to_string(needed) + " B, of them " + std::to_string(most->constant_bytes) + " B here",
               .expected = "at most " + std::to_string(budget) + " B",
               .hint = "fewer channels in the last blocks, where most weights are, or fewer classes; about " +
                       std::to_string(needed - budget) + " weights must go"};
}

}  // namespace

Report make_report(const Program& program, const Plan& plan, const Generated& generated, const EmitOptions& options) {
  const auto target = options.target;
  Report report{.name = program.name,
                .target = target,
                .arena_bytes = generated.arena_bytes,
                .arena_lower_bound = plan.lower_bound,
                .constant_bytes = generated.constant_bytes,
                .router = to_string(program.router.form),
                .router_macs = program.router.macs()};
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const auto& group = plan.steps[s].group;
    StepReport step{
        .rows = group.rows, .instructions = estimate_instructions(target, program.base, group), .arena_bytes = plan.occupied(s)};
    for (const auto i : group.layers) {
      const auto& layer = program.base.layers[i];
      step.layers.push_back(layer.name);
      step.macs += layer.macs;
      step.constant_bytes += stream_bytes(layout_of(target), program.base, layer, !group.rows && is_compact(target, options.compact));
    }
    report.macs += step.macs;
    report.instructions += step.instructions;
    report.steps.push_back(std::move(step));
  }
  return report;
}

Json to_json(const Report& report) {
  Json steps = Json::array();
  for (const auto& step : report.steps)
    steps.push_back({{"layers", step.layers},
                     {"by_rows", step.rows},
                     {"macs", step.macs},
                     {"estimated_instructions", step.instructions},
                     {"arena_bytes", step.arena_bytes},
                     {"constant_bytes", step.constant_bytes}});
  return {{"schema", 1},
          {"name", report.name},
          {"target", to_string(report.target)},
          {"macs", report.macs},
          {"estimated_instructions", report.instructions},
          {"arena_bytes", report.arena_bytes},
          {"arena_lower_bound", report.arena_lower_bound},
          {"constant_bytes", report.constant_bytes},
          {"code_bytes_allowed", kCodeBytesAllowed},
          {"router", report.router},
          {"router_macs", report.router_macs},
          {"steps", steps}};
}

std::string to_text(const Report& report) {
  std::string text;
  char head[256];
  std::snprintf(head, sizeof head, "%-58s %11s %13s %8s %10s\n", "step", "MACs", "instructions*", "RAM", "constants");
  text += head;
  for (const auto& step : report.steps) {
    auto name = joined(step.layers);
    if (step.rows) name += " (by rows)";
    if (name.size() > 57) name = name.substr(0, 54) + "...";
    text += formatted("%-58s %11lld %13lld %8lld %10lld\n", name, step.macs, step.instructions, step.arena_bytes, step.constant_bytes);
  }
  text += formatted("%-58s %11lld %13lld %8lld %10lld\n", report.name + " on " + to_string(report.target), report.macs, report.instructions,
                    report.arena_bytes, report.constant_bytes);
  text +=
      "* estimated from figures measured in QEMU (docs/microcontrollers.md). RAM: the static arena, the image included; no layout of "
      "these steps\n"
      "  needs less than " +
      std::to_string(report.arena_lower_bound) + " B. Flash: the constants and up to " + std::to_string(kCodeBytesAllowed) +
      " B of code. Router: " + report.router + ", " + std::to_string(report.router_macs) + " MACs.\n";
  return text;
}

Status check_budget(const Report& report, const Network& network, const Plan& plan, const Budget& budget) {
  if (budget.ram_bytes > 0) HEDGE_CHECK(check_ram(report, network, plan, budget.ram_bytes));
  if (budget.flash_bytes > 0) HEDGE_CHECK(check_flash(report, budget.flash_bytes));
  return {};
}

Result<std::int64_t> parse_bytes(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  const std::int64_t factor = unit.empty() || unit == "B"   ? 1
                              : unit == "K" || unit == "KB" ? 1024
                              : unit == "M" || unit == "MB" ? 1024 * 1024
                                                            : 0;
  if (error != std::errc() || factor == 0 || value <= 0 || value > (std::int64_t{1} << 40))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "this is no size",
                 .got = text,
                 .expected = "bytes, or a number with K or M (1024, 1048576)"};
  return value * factor;
}

}  // namespace hedge::codegen
