#include "cli/transfer_flags.h"

namespace hedge::cli {

void TransferFlags::add(CLI::App& app) {
  auto* from = app.add_option(
      "--from", from_,
      "begin with this trained ONNX model, from anywhere, and let it learn the classes of --data: its last layer is made new and fitted "
      "first, then all layers learn, the first ones slowly (transfer)");
  const auto with_from = [&](CLI::Option* option) { return option->needs(from); };
  with_from(app.add_option("--recipe", options_.model.recipe,
                           "how images are prepared for the model of --from: a JSON file or the short form, e.g. "
                           "\"resize=256,crop=224,mean=imagenet,std=imagenet\". Default: as MODEL.hedge.json or the model "
                           "says"));
  with_from(app.add_option("--first-rate", options_.first_rate,
                           "with --from: learning rate of the first layer as a share of the last one's, above 0, up to 1"))
      ->capture_default_str();
  with_from(app.add_option("--head-epochs", options_.head_epochs,
                           "with --from: passes with which the new last layer is fitted; its inputs are computed once"))
      ->capture_default_str();
  with_from(app.add_flag("--head-only", options_.head_only,
                         "with --from: leave all other layers as they are; takes about one pass over the images"));
  form_.add(app, "from-", "the model of --from");
}

std::optional<workflow::TransferOptions> TransferFlags::options() const {
  if (from_.empty()) return std::nullopt;
  auto options = options_;
  options.model.path = from_;
  apply(form_, {}, options.model);
  return options;
}

}  // namespace hedge::cli
