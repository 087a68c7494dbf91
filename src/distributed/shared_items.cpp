#include "distributed/shared_items.h"

namespace asap::distributed {

std::vector<std::string> ItemShare::exchange(const std::vector<std::string>& own) const {
  std::string packed;
  for (const std::string& item : own) {
    pack_value(static_cast<std::int64_t>(item.size()), packed);
    packed += item;
  }
  std::vector<std::string> items(static_cast<std::size_t>(count_));
  const std::vector<std::string> all = ranks_.gather(packed);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    Unpacker unpacker(all[rank]);
    for (std::size_t item = rank; item < items.size(); item += all.size()) {
      items[item].resize(static_cast<std::size_t>(unpacker.value<std::int64_t>()));
      unpacker.fill(std::span(items[item].data(), items[item].size()));
    }
  }
  return items;
}

}  // namespace asap::distributed
