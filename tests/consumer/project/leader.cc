// The same in C++: the node leaves when its owner goes out of scope, and events tell what happens.
#include <diskarch/diskarch.h>

#include <poll.h>

#include <iostream>
#include <memory>

namespace {

struct Leave {
    void operator()(diskarch *node) const { diskarch_close(node); }
};
using Node = std::unique_ptr<diskarch, Leave>;

Node join(int argc, char **argv)
{
    diskarch_options options = {};
    options.size = sizeof options;
    options.disks = argv + 1;
    options.disk_count = static_cast<size_t>(argc - 1);
    diskarch *node = nullptr;
    char message[512];
    if (diskarch_open(&options, &node, message, sizeof message) != 0) {
        std::cerr << message << std::endl;
    }
    return Node(node);
}

// The next event of the node.
diskarch_event next(const Node &node)
{
    diskarch_event event = {};
    event.size = sizeof event;
    while (diskarch_dispatch(node.get(), &event) == 0) {
        pollfd readable = {diskarch_fd(node.get()), POLLIN, 0};
        poll(&readable, 1, -1);
    }
    return event;
}

} // namespace

int main(int argc, char **argv)
{
    Node node = join(argc, argv);
    diskarch_role *role = nullptr;
    if (!node || diskarch_campaign(node.get(), "job", nullptr, &role) != 0) {
        return 1;
    }
    for (;;) {
        diskarch_event event = next(node);
        if (event.kind == DISKARCH_LEADER) {
            std::cout << "epoch " << event.epoch << std::endl;
            return 0;
        }
        if (event.kind == DISKARCH_REFUSED || event.kind == DISKARCH_LEASE_ENDED) {
            std::cerr << event.text << std::endl;
            return 1;
        }
    }
}
