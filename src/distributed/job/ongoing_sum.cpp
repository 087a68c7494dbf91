#include "distributed/job/ongoing_sum.h"

#include <algorithm>

namespace asap::distributed {
namespace {

// Numbers that travel through the chain at a time: 60 KiB, which Open MPI's TCP sends without
// asking the receiver first.
constexpr std::size_t kSegment = 15 << 10;
constexpr std::size_t kBucket = 1 << 18;  // numbers of one MPI_Iallreduce
constexpr int kOnwards = 1, kBack = 2;    // tags

/// The fixed order: every rank adds its gradients to what the ranks before it have added, and
/// passes the sum on. Totals travel back from the last rank.
class ChainSum final : public OngoingSum {
 public:
  ChainSum(MPI_Comm channel, Gradients gradients, SumBuffers& buffers)
      : OngoingSum(gradients), channel_(channel), buffers_(buffers), segments_(parts(kSegment)) {
    int size = 0;
    MPI_Comm_rank(channel, &rank_);
    MPI_Comm_size(channel, &size);
    is_last_ = rank_ + 1 == size;
    buffers.partial.resize(total().size());
    if (rank_ > 0) receive(buffers.partial, rank_ - 1, kOnwards, coming_);
    if (is_last_) return;
    buffers.returned.resize(total().size());
    receive(buffers.returned, rank_ + 1, kBack, returning_);
  }

  bool advance(int threads) override {
    while (added_ < segments_ && has_come(added_) && is_final(segment(added_)))
      add(segment(added_++), threads);
    while (!is_last_ && returned_ < added_ && is_done(returning_[returned_]))
      take_back(segment(returned_++));
    while (sent_ < sends_.size() && is_done(sends_[sent_])) ++sent_;
    // Messages that this rank has no use for yet are still to be read from the network.
    if (added_ < segments_ && rank_ > 0) is_done(coming_.back());
    return added_ == segments_ && (is_last_ || returned_ == segments_) && sent_ == sends_.size();
  }

 private:
  Segment segment(std::size_t index) const { return part(index, kSegment); }
  bool has_come(std::size_t index) { return rank_ == 0 || is_done(coming_[index]); }

  void receive(std::vector<float>& buffer, int from, int tag, std::vector<MPI_Request>& requests) {
    for (std::size_t index = 0; index < segments_; ++index)
      MPI_Irecv(buffer.data() + segment(index).begin, static_cast<int>(segment(index).length),
                MPI_FLOAT, from, tag, channel_, &requests.emplace_back());
  }

  void send(const float* values, std::size_t length, int to, int tag) {
    MPI_Isend(values, static_cast<int>(length), MPI_FLOAT, to, tag, channel_,
              &sends_.emplace_back());
  }

  void add(const Segment& segment, int threads) {
    const tensor::VectorView<float> sum(buffers_.partial.data() + segment.begin, segment.length);
    add_in_order(gradients_, segment, rank_ == 0, sum, threads);
    if (is_last_) {
      std::ranges::copy(sum, total().subspan(segment.begin).begin());
      send(sum.data(), segment.length, rank_ - 1, kBack);
    } else {
      send(sum.data(), segment.length, rank_ + 1, kOnwards);
    }
  }

  void take_back(const Segment& segment) {
    const float* values = buffers_.returned.data() + segment.begin;
    if (rank_ > 0) send(values, segment.length, rank_ - 1, kBack);
    std::copy_n(values, segment.length, total().data() + segment.begin);
  }

  MPI_Comm channel_;
  SumBuffers& buffers_;
  std::size_t segments_;
  int rank_ = 0;
  bool is_last_ = false;
  std::vector<MPI_Request> coming_, returning_, sends_;
  std::size_t added_ = 0, returned_ = 0, sent_ = 0;  // how many segments are past that
};

/// Any order: every rank adds its gradients first, and MPI adds the sums.
class BucketSum final : public OngoingSum {
 public:
  BucketSum(MPI_Comm channel, Gradients gradients, SumBuffers& buffers)
      : OngoingSum(gradients), channel_(channel), buffers_(buffers), buckets_(parts(kBucket)) {
    buffers.partial.resize(total().size());
    requests_.reserve(buckets_);
  }

  bool advance(int threads) override {
    while (requests_.size() < buckets_ && is_final(part(requests_.size(), kBucket)))
      start(part(requests_.size(), kBucket), threads);
    while (done_ < requests_.size() && is_done(requests_[done_])) {
      const Segment bucket = part(done_++, kBucket);
      std::copy_n(buffers_.partial.data() + bucket.begin, bucket.length,
                  total().data() + bucket.begin);
    }
    return done_ == buckets_;
  }

 private:
  void start(const Segment& bucket, int threads) {
    const tensor::VectorView<float> sum(buffers_.partial.data() + bucket.begin, bucket.length);
    add_in_order(gradients_, bucket, true, sum, threads);
    MPI_Iallreduce(MPI_IN_PLACE, sum.data(), static_cast<int>(bucket.length), MPI_FLOAT, MPI_SUM,
                   channel_, &requests_.emplace_back());
  }

  MPI_Comm channel_;
  SumBuffers& buffers_;
  std::size_t buckets_;
  std::vector<MPI_Request> requests_;
  std::size_t done_ = 0;
};

}  // namespace

Segment OngoingSum::part(std::size_t index, std::size_t length) const {
  const std::size_t end = total().size() - index * length;
  const std::size_t begin = end > length ? end - length : 0;
  return {begin, end - begin};
}

std::unique_ptr<OngoingSum> begin_sum(MPI_Comm channel,
                                      std::span<const tensor::VectorView<float>> gradients,
                                      SumOrder order, SumBuffers& buffers) {
  if (order == SumOrder::fixed) return std::make_unique<ChainSum>(channel, gradients, buffers);
  return std::make_unique<BucketSum>(channel, gradients, buffers);
}

bool is_done(MPI_Request& request) {
  int done = 0;
  MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  return done != 0;
}

}  // namespace asap::distributed
