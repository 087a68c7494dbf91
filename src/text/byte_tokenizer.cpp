#include "text/byte_tokenizer.h"

namespace asap {
namespace {

constexpr int kByteValues = 256;

class ByteTokenizer final : public Tokenizer {
 public:
  explicit ByteTokenizer(bool lowercase) : lowercase_(lowercase) {}

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    ids.reserve(text.size());
    for (const char byte : text) {
      const bool capital = lowercase_ && byte >= 'A' && byte <= 'Z';
      ids.push_back(1 + static_cast<unsigned char>(byte) + (capital ? 'a' - 'A' : 0));
    }
    return ids;
  }

  int vocabulary() const override { return 1 + kByteValues; }
  std::string serialise() const override { return {}; }

 private:
  bool lowercase_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer(const TextConfig& config) {
  return std::make_unique<ByteTokenizer>(config.lowercase);
}

}  // namespace asap
