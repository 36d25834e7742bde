#pragma once

#include <optional>
#include <string_view>

#include "hedge/preprocess.h"

namespace hedge::data::internal {

/// All but the normalisation, which a recipe does not have yet while it is being measured. Errors: kInvalidArgument, naming the field.
Status validate_geometry(const Preprocess& recipe);

/// The value of that name, as to_string gives it; nothing where there is none.
std::optional<ChannelOrder> channel_order_named(std::string_view name);
std::optional<Fit> fit_named(std::string_view name);
std::optional<Filter> filter_named(std::string_view name);

}  // namespace hedge::data::internal
