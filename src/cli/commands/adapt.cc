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
  std::string method = "reweight";
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
  HEDGE_TRY(options.rounds.method, train::adapt_method(flags.method));
  HEDGE_TRY(options.rounds.share, train::router_share(flags.share));
  HEDGE_TRY(options.rounds.router.kind, train::router_kind(flags.router_kind));
  HEDGE_TRY(const auto report, workflow::adapt(options, context.run()));
  std::printf("%s\n", workflow::to_json(report).dump().c_str());
  return {};
}

void add_files(CLI::App& app, Flags& f) {
  app.add_option("--base", f.base, "the trained base (.onnx)")->required();
  app.add_option("--global", f.global, "the trained global (.onnx)")->required();
  app.add_option("--router-model", f.router, "the router's graph (.onnx) that weighs the images in the first round")->required();
  app.add_option("--data", f.options.data,
                 "labelled images. Default split: train, of which a part is held out to decide when to stop (--held-out)")
      ->required();
  app.add_option("--judge", f.options.judge,
                 "images for the final figures; nothing is chosen by them. Default: the test split of the same data set");
  app.add_option("-o,--out", f.out, "folder for adapt.json, the networks and tables of each arm, and the rounds")->required();
}

void add_adapting(CLI::App& app, Flags& f) {
  auto& a = f.options.rounds;
  app.add_option(
         "--method", f.method,
         "reweight: base and global, images weighed by r. The others leave the global as it is: end_to_end (base and router together), "
         "expected (the base for the hybrid that its entropy routes), coverage (less weight for images that the base would query), "
         "distil (the global teaches), scaffold (it teaches, but not what is queried), gatekeeper (sure where right, unsure where "
         "wrong), one_sided (few false alarms, class by class)")
      ->capture_default_str();
  app.add_option("--strength", a.strength, "weight of the method's own part in the loss of the base, 0 to 1. Default: what served it best");
  app.add_option("--weights-by", f.share,
                 "where r of reweight and scaffold comes from: soft (the router's score), hard (its decision) or oracle (the labels)")
      ->capture_default_str()
      ->check(CLI::IsMember({"soft", "hard", "oracle"}));
  app.add_option("--penalty", a.penalty,
                 "weight of missing coverage in the loss of --method end_to_end; higher answers more images on the device")
      ->capture_default_str();
  app.add_option("--router", f.router_kind,
                 "kind of the routers that are fitted between rounds and for the final figures: gain or selective_query")
      ->capture_default_str();
  app.add_option("--router-epochs", a.router.epochs, "passes over the table when such a router is fitted; 0: as many as give 800 steps")
      ->capture_default_str();
  app.add_option("--router-seeds", f.options.seeds,
                 "routers fitted to judge each arm, each from another random seed; more give steadier figures and take longer")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--coverage", a.coverage, "share of images that r leaves on the device, 0 to 1")->capture_default_str();
  app.add_option("--rounds", a.rounds, "how often to train the networks and fit the router again")->capture_default_str();
  app.add_option("--patience", a.patience, "rounds without a larger area after which both arms stop")->capture_default_str();
  app.add_option("--held-out", f.options.held_share, "share of the training images that is held out, above 0 up to 0.5")
      ->capture_default_str();
  app.add_option("--teacher-weight", a.teacher_weight,
                 "share of the global as a teacher in the loss of the base, in both arms, 0 to 1; 0: no distillation")
      ->capture_default_str();
  app.add_option("--temperature", a.temperature, "divide the logits of teacher and student by this before they are compared")
      ->capture_default_str();
  app.add_option("--global-lr", f.options.global_rate, "peak learning rate of the global. Default: that of the base (--lr)");
  app.add_option("--resamples", f.options.resamples, "number of bootstrap resamples; more give steadier intervals and take longer")
      ->capture_default_str()
      ->check(CLI::Range(100, 100000));
}

}  // namespace

void add_adapt(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("adapt", "train a pair to be worth deferring in, and a control for as long by its cross entropy alone");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  add_files(*app, *f);
  add_adapting(*app, *f);
  f->training.options = f->options.training;
  f->training.add(*app);
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
