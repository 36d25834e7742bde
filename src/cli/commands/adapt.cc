#include <memory>

#include "cli/commands.h"
#include "cli/training_flags.h"
#include "workflow/adapt.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::AdaptOptions options;
  std::string base, global, router, out;
  std::string share = "soft";
  std::string router_kind = "gain";
  TrainingFlags training;
};

Status run(Flags& flags, Context& context) {
  HEDGE_CHECK(flags.training.finish());
  auto options = flags.options;
  options.base = flags.base;
  options.global = flags.global;
  options.router = flags.router;
  options.out = flags.out;
  options.training = flags.training.options;
  HEDGE_TRY(options.rounds.share, train::router_share(flags.share));
  HEDGE_TRY(options.rounds.router.kind, train::router_kind(flags.router_kind));
  HEDGE_TRY(const auto report, workflow::adapt(options, context.run()));
  std::printf("%s\n", workflow::to_json(report).dump().c_str());
  return {};
}

void add_files(CLI::App& app, Flags& f) {
  app.add_option("--base", f.base, "the trained base (.onnx)")->required();
  app.add_option("--global", f.global, "the trained global (.onnx)")->required();
  app.add_option("--router-model", f.router, "the router's graph (.onnx) for the first round")->required();
  app.add_option("--data", f.options.data, "the data set; its train split by default, of which a part is held out to stop early by")
      ->required();
  app.add_option("--judge", f.options.judge, "images that nothing is chosen by; default: the same data set's test split");
  app.add_option("-o,--out", f.out, "a folder: adapt.json, a folder of networks and tables for each arm, and the rounds")->required();
}

void add_adapting(CLI::App& app, Flags& f) {
  auto& a = f.options.rounds;
  app.add_option("--weights-by", f.share, "r of the weights 2 - r and 1 + r: soft, hard or oracle")
      ->capture_default_str()
      ->check(CLI::IsMember({"soft", "hard", "oracle"}));
  app.add_flag("--end-to-end", a.end_to_end,
               "instead: base and router by E[(1 - r) l_base + r l_global] with a coverage penalty; the global stays");
  app.add_option("--penalty", a.penalty, "of the coverage, end to end")->capture_default_str();
  app.add_option("--router", f.router_kind, "of the routers that are fitted between rounds and to judge: gain or selective_query")
      ->capture_default_str();
  app.add_option("--router-epochs", a.router.epochs, "of those")->capture_default_str();
  app.add_option("--router-seeds", f.options.seeds, "routers fitted to judge each arm")->capture_default_str()->check(CLI::Range(1, 100));
  app.add_option("--coverage", a.coverage, "share of images that r leaves on the device")->capture_default_str();
  app.add_option("--rounds", a.rounds, "of training and fitting the router anew")->capture_default_str();
  app.add_option("--patience", a.patience, "rounds without a better area before both arms stop")->capture_default_str();
  app.add_option("--held-out", f.options.held_share, "share of the training images that is held out")->capture_default_str();
  app.add_option("--teacher-weight", a.teacher_weight, "of distilling the global into the base, in both arms; 0: none")
      ->capture_default_str();
  app.add_option("--temperature", a.temperature, "of that")->capture_default_str();
  app.add_option("--global-lr", f.options.global_rate, "the global's peak learning rate; default: the base's");
  app.add_option("--resamples", f.options.resamples, "of the bootstrap")->capture_default_str()->check(CLI::Range(100, 100000));
}

}  // namespace

void add_adapt(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand(
      "adapt", "train base and global for each other by a router's weights, beside a control trained as long with weights 1");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  add_files(*app, *f);
  add_adapting(*app, *f);
  f->training.options = f->options.training;
  f->training.add(*app);
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
