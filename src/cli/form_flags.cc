#include "cli/form_flags.h"

namespace hedge::cli {

void FormFlags::add(CLI::App& app, const std::string& prefix, const std::string& of) {
  const std::string from = " Default: MODEL.hedge.json, else found in the file; where that leaves it open, the model is refused";
  app.add_option("--" + prefix + "input-layout", input_layout,
                 "where the image input of " + of + " has its channels: nchw (before height and width) or nhwc (behind them)." + from)
      ->type_name("LAYOUT");
  app.add_option("--" + prefix + "output", output,
                 "the output of " + of +
                     " that gives the classes, by name. Default: MODEL.hedge.json, else the one called \"logits\", else the only "
                     "one with a number a class")
      ->type_name("NAME");
  app.add_option(
         "--" + prefix + "output-kind", output_kind,
         "what the numbers of that output are: logits, probabilities, log_probabilities or sigmoid (a probability for each output alone; "
         "of a single output: that of the second of two classes)." +
             from)
      ->type_name("KIND");
}

void apply(const FormFlags& own, const FormFlags& both, workflow::ModelOptions& model) {
  const auto first = [](const std::string& a, const std::string& b) { return a.empty() ? b : a; };
  model.input_layout = first(own.input_layout, both.input_layout);
  model.output = first(own.output, both.output);
  model.output_kind = first(own.output_kind, both.output_kind);
}

}  // namespace hedge::cli
