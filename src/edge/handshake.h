#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/image.h"
#include "hedge/result.h"

namespace hedge::edge {

/// What one judged global answers to a handshake's images.
struct HandshakeAnswers {
  std::string sha256;                      ///< its weights' identity
  std::vector<std::vector<float>> logits;  ///< of each image, one a label
  bool operator==(const HandshakeAnswers&) const = default;
};

/// A few images with what the judged global says of them: by these a server is known that does not say which model it serves
/// (docs/formats/bundle.md, "The handshake").
struct Handshake {
  static constexpr std::size_t kImages = 16;  ///< at most
  static constexpr std::size_t kFewest = 4;   ///< fewer prove too little
  std::string dataset;                        ///< where the images come from, for people
  std::vector<data::Image> images;            ///< as the device sends them: all of one height, width and number of channels
  std::vector<HandshakeAnswers> globals;      ///< of the judged global first, then of the other accepted ones

  /// Errors: kInvalidArgument: too few or too many images, of different forms, or no global; answers that are not one a image, of
  /// different widths, or not finite.
  [[nodiscard]] Status validate() const;
};

/// The images one below the other, as a PNG. Precondition: validate().
Result<std::string> handshake_png(const Handshake& handshake);
/// All but the pixels. Precondition: validate().
std::string handshake_json(const Handshake& handshake);
/// Both together again; `where` names the JSON. Errors: kBadFormat (either is none, or they do not fit each other); kUnsupported (a newer
/// schema).
Result<Handshake> parse_handshake(std::string_view png, std::string_view json, std::string_view where);

/// `columns` of a row; all of it where there are none. Precondition: they are below its size.
std::vector<float> pick(const std::vector<float>& row, const std::vector<std::int64_t>& columns);

/// Whether all rows are probabilities of one class among all: in 0..1, with the sum 1.
bool are_probabilities(const std::vector<std::vector<float>>& rows);
/// Their logarithms, which are logits of the same probabilities; of what is given as 0 that of 1e-12.
std::vector<float> logarithms(const std::vector<float>& probabilities);

/// Which of the handshake's globals gave these answers. `logits`: for each global what the server answers, read as that one's (as
/// HandshakeAnswers have them), or nothing where it has other outputs. All images but one of 16 must have the same class (of fewer: all),
/// and no class may have the logits of another one. The values may be logits or probabilities.
/// Errors: kMismatch, with how many agree.
Result<std::size_t> recognise(const Handshake& handshake, const std::vector<std::vector<std::vector<float>>>& logits);

}  // namespace hedge::edge
