#pragma once

#include <string_view>

#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::data {

/// A recipe in short, for command lines and sidecar files (docs/formats/preprocess.md): "resize=256,crop=224,mean=imagenet,std=imagenet".
///
/// Items key=value, separated by commas; a list goes on with further values: "mean=0.5,0.5,0.5". Keys: `crop` (N or HxW; must be there),
/// `resize` (the shorter side; default 0: none), `channels` (1 or 3; default 3), `mean` and `std` (a value for all channels, a value each,
/// or "imagenet"; default 0 and 1: pixels in 0..1), `order` (rgb or bgr), `fit` (crop or squash), `filter` (bilinear, bicubic or nearest),
/// `antialias` (on or off), `version` (default: the newest). Errors: kInvalidArgument, naming the item; those of Preprocess::validate.
Result<Preprocess> parse_recipe(std::string_view text);

}  // namespace hedge::data
