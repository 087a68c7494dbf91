#include "distributed/shared_items.h"

#include <set>

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap::distributed;

namespace {

/// One of several ranks; the others gather what the test says.
class OneOfSeveral final : public Ranks {
 public:
  OneOfSeveral(int rank, int size) : Ranks(rank, size, "node") {}
  void sum(std::span<const asap::tensor::VectorView<float>>, SumOrder, int,
           const Computation&) override {}
  std::vector<std::string> gather(const std::string& bytes) override {
    std::vector<std::string> all = others;
    all[static_cast<std::size_t>(rank())] = sent = bytes;
    return all;
  }
  FailureReport fail(const std::string&) override { return {}; }
  void end(bool, int) override {}

  std::vector<std::string> others;
  std::string sent;
};

}  // namespace

TEST_CASE("every item has one rank") {
  for (const std::int64_t count : {0, 1, 7, 64}) {
    std::set<std::int64_t> items;
    for (int rank = 0; rank < 3; ++rank) {
      OneOfSeveral ranks(rank, 3);
      const ItemShare share(ranks, count);
      CHECK(share.is_shared());
      for (std::int64_t place = 0; place < share.own(); ++place) items.insert(share.item(place));
    }
    CHECK(std::ssize(items) == count);
    if (count > 0) CHECK(*items.rbegin() == count - 1);
  }
}

TEST_CASE("all ranks get the bytes of all items in their order") {
  OneOfSeveral first(0, 2), second(1, 2);
  first.others = second.others = {"", ""};
  // The other rank has sent nothing here, which is noticed.
  asap::test::expect_error<asap::base::InternalError>(
      [&] {
        ItemShare(first, 5).exchange({"zero", "", "four"});
      },
      {"agree"});
  second.others[0] = first.sent;
  const std::vector<std::string> all = ItemShare(second, 5).exchange({"one", "three"});
  CHECK(all == std::vector<std::string>{"zero", "one", "", "three", "four"});
  CHECK(ItemShare(single_rank(), 2).exchange({"a", "b"}) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("values of ranks and of items are exchanged as they are") {
  OneOfSeveral first(0, 2), second(1, 2);
  first.others = second.others = {"", ""};
  pack_value(std::int64_t{8}, second.others[0]);
  CHECK(gather_values(second, std::int64_t{9}) == std::vector<std::int64_t>{8, 9});
  const std::vector<float> even{0, 2, 4}, odd{1, 3};
  asap::test::expect_error<asap::base::InternalError>(
      [&] { ItemShare(first, 5).exchange_values<float>(even); }, {"agree"});
  second.others[0] = first.sent;
  CHECK(ItemShare(second, 5).exchange_values<float>(odd) == std::vector<float>{0, 1, 2, 3, 4});
}

TEST_CASE("values are read as they were written, and never beyond the end") {
  std::string bytes;
  pack_value(std::int64_t{7}, bytes);
  pack(std::span<const float>(std::vector<float>{1.5f, -2}), bytes);
  Unpacker unpacker(bytes);
  CHECK(unpacker.value<std::int64_t>() == 7);
  std::vector<float> values(2);
  unpacker.fill(std::span(values));
  CHECK(values == std::vector<float>{1.5f, -2});
  asap::test::expect_error<asap::base::InternalError>([&] { unpacker.value<char>(); }, {"agree"});
}
