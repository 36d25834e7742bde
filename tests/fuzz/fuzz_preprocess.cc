// Any bytes as a recipe, in JSON and in short: refused with an error, or a valid recipe that survives being written and read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/recipe_text.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace {

using hedge::data::Preprocess;

void check(const hedge::Result<Preprocess>& recipe) {
  if (!recipe) {
    if (recipe.error().message().empty()) std::abort();
    return;
  }
  if (!recipe->validate().ok()) std::abort();
  const auto again = Preprocess::from_json(recipe->to_json());
  if (!again || !(*again == *recipe)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(Preprocess::from_json(text));
  check(hedge::data::parse_recipe(text));
  return 0;
}
