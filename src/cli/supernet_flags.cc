#include "cli/supernet_flags.h"

namespace hedge::cli {

void SupernetFlags::add(CLI::App& app) {
  auto* method = app.add_option("--supernet", method_,
                                "train all smaller networks of --net ofa-mbv3:… with it, in the same weights (Once-for-All): sandwich (all "
                                "sizes in every step) or progressive (the largest first, then smaller ones, taught by it). hedge zoo "
                                "extract and hedge search --supernet take networks out")
                     ->check(CLI::IsMember({"sandwich", "progressive"}));
  app.add_option("--supernet-widths", options_.widths, "with --supernet: smaller widths, besides the width of --net, e.g. 0.25,0.35")
      ->delimiter(',')
      ->needs(method);
  app.add_option("--supernet-sizes", options_.sides, "with --supernet: image sizes of which each step draws one. Default: --size")
      ->delimiter(',')
      ->needs(method);
  app.add_option("--supernet-random", options_.random, "with --supernet sandwich: networks of a step beside the largest and the smallest")
      ->capture_default_str()
      ->needs(method);
}

std::optional<workflow::SupernetOptions> SupernetFlags::options() const {
  if (method_.empty()) return std::nullopt;
  auto options = options_;
  using Method = workflow::SupernetOptions::Method;
  options.method = method_ == "progressive" ? Method::kProgressive : Method::kSandwich;
  return options;
}

}  // namespace hedge::cli
