// Any bytes as a recipe: refused with an error, or a valid recipe that survives being written and read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/preprocess.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hedge::data::Preprocess;
  const auto recipe = Preprocess::from_json({reinterpret_cast<const char*>(data), size});
  if (!recipe) {
    if (recipe.error().message().empty()) std::abort();
    return 0;
  }
  if (!recipe->validate().ok()) std::abort();
  const auto again = Preprocess::from_json(recipe->to_json());
  if (!again || !(*again == *recipe)) std::abort();
  return 0;
}
