#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "train/trainer.h"

namespace hedge::train {

/// A set of training options that belong together (docs/learning.md, "Recipes").
enum class Recipe {
  kAuto,      ///< one of the others, by network and image size
  kPlain,     ///< the options as they are
  kSmall,     ///< images of up to 64 pixels: Muon and other parts of airbench (Jordan 2024)
  kMobile,    ///< depthwise convolutions: smaller batches, a higher rate
  kTransfer,  ///< a network that learns other classes: a low rate
};

const char* to_string(Recipe recipe);
/// "auto", "plain", "small", "mobile", "transfer". Errors: kInvalidArgument, naming them.
Result<Recipe> parse_recipe(std::string_view name);

/// What a recipe is applied to.
struct RecipeSubject {
  const graph::Graph& graph;
  const data::Preprocess& images;
  bool fresh = true;      ///< a new network; one that is trained further keeps its weights
  bool transfer = false;  ///< a trained network with a new last layer
};

/// What kAuto stands for: transfer for a network with a new last layer; plain for a network that is trained further; mobile where it has
/// depthwise convolutions; small for images of up to 64 pixels; else plain.
Recipe choose_recipe(const RecipeSubject& subject);

/// Sets what the recipe sets and leaves the other options. kPlain sets nothing. Images alternate only where `options` flips them.
/// Precondition: not kAuto.
void apply_recipe(Recipe recipe, const RecipeSubject& subject, TrainOptions& options);

/// The recipe's name and every option that changes the result, as JSON, for the model's metadata. `epochs`: those that were trained.
std::string training_json(Recipe recipe, const TrainOptions& options, double epochs);

}  // namespace hedge::train
