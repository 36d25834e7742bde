#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/internal/tally.h"
#include "data/spec.h"
#include "hedge/result.h"

namespace hedge::data::internal {

/// The classes in their order, and what is to be said of it.
struct OrderedClasses {
  std::vector<std::string> names;
  std::vector<Note> notes;
};

/// Numbers the classes that folders or labels name; `where` stands in errors.
///
/// Names that are all numbers from 0 or 1 on, without gaps, are in the order of the numbers. Numbers with gaps are names, in byte order;
/// but where byte order is not the order of the numbers the user is asked (kBadData), as a model's outputs may be in either. Other names
/// are in byte order, as torchvision and Keras have them; said where class10 then comes before class2. kName: byte order. kNumber: class N
/// is number N, up to 100 000; a number without a name is a class without images, named like the others. Errors: kBadData: two names of one
/// number; numbers with gaps, as above; kInvalidArgument: kNumber and a name that is no number.
Result<OrderedClasses> order_classes(std::vector<std::string> names, std::optional<ClassOrder> order, const std::string& where);

}  // namespace hedge::data::internal
