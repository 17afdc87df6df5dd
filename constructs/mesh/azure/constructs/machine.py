"""A virtual machine as Terraform resources: network interface, machine, data disk, boot gate."""

from collections.abc import Sequence
from typing import Final

from cdktf import TerraformResource, TerraformResourceLifecycle
from constructs import Construct

from imports.azurerm import (
    LinuxVirtualMachine,
    LinuxVirtualMachineAdminSshKey,
    LinuxVirtualMachineBootDiagnostics,
    LinuxVirtualMachineIdentity,
    LinuxVirtualMachineOsDisk,
    LinuxVirtualMachineSourceImageReference,
    ManagedDisk,
    NetworkInterface,
    NetworkInterfaceIpConfiguration,
    ResourceGroup,
    VirtualMachineDataDiskAttachment,
    VirtualMachineRunCommand,
    VirtualMachineRunCommandSource,
    VirtualMachineRunCommandTimeouts,
)
from mesh.azure.machines import VirtualMachine
from mesh.boot.cloud_init import DATA_LUN
from mesh.terraform import HIDDEN_ID, literal

ADMIN: Final = "azureuser"


class Machine(Construct):
    """A VM, its disk, and the gate that fails the apply when it does not come up.

    The gate works through Azure's control plane: it needs no way from Terraform to the machine.

    Args:
        machine: What to create.
        resource_group: Where it is put.
        subnet_id: Its subnet.
        identity_id: The identity with which it reads its secrets.
        ssh_public_key: Key of people who are let in.
        gate_script: Ends with 0 once the machine is ready; its own limit is shorter than ``gate_timeout_minutes``.
        gate_timeout_minutes: Longest time that the gate may take.
        depends_on: What has to exist before it boots: its way out, its firewall, its rights, other machines.

    Attributes:
        gate: Passed once the machine is ready.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        machine: VirtualMachine,
        resource_group: ResourceGroup,
        subnet_id: str,
        identity_id: str,
        ssh_public_key: str,
        gate_script: str,
        gate_timeout_minutes: int,
        depends_on: Sequence[TerraformResource],
    ) -> None:
        super().__init__(scope, id_)
        interface = NetworkInterface(
            self,
            "interface",
            name=f"nic-{machine.name}",
            location=resource_group.location,
            resource_group_name=resource_group.name,
            ip_configuration=[
                NetworkInterfaceIpConfiguration(
                    name="primary",
                    subnet_id=subnet_id,
                    private_ip_address_allocation="Static",
                    private_ip_address=str(machine.address),
                )
            ],
        )
        resource = LinuxVirtualMachine(
            self,
            HIDDEN_ID,
            name=machine.name,
            computer_name=machine.name,
            location=resource_group.location,
            resource_group_name=resource_group.name,
            size=machine.size,
            zone=machine.zone,
            admin_username=ADMIN,
            disable_password_authentication=True,
            admin_ssh_key=[LinuxVirtualMachineAdminSshKey(username=ADMIN, public_key=ssh_public_key)],
            network_interface_ids=[interface.id],
            os_disk=LinuxVirtualMachineOsDisk(
                caching="ReadWrite", storage_account_type="Premium_LRS", disk_size_gb=machine.os_disk_gb
            ),
            source_image_reference=LinuxVirtualMachineSourceImageReference(
                publisher="Canonical", offer="ubuntu-24_04-lts", sku="server", version=machine.image_version
            ),
            identity=LinuxVirtualMachineIdentity(type="UserAssigned", identity_ids=[identity_id]),
            custom_data=machine.custom_data,
            boot_diagnostics=LinuxVirtualMachineBootDiagnostics(),  # empty: storage that Azure manages
            secure_boot_enabled=True,
            vtpm_enabled=True,
            tags={"config-hash": machine.config_hash},
            # A change of these would replace all servers in one apply. People replace them one by one:
            # terraform apply -replace=
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=["custom_data", "source_image_reference", "admin_ssh_key"]
            ),
            depends_on=list(depends_on),
        )
        self.gate = VirtualMachineRunCommand(
            self,
            "gate",
            name="boot-gate",
            location=resource_group.location,
            virtual_machine_id=resource.id,
            source=VirtualMachineRunCommandSource(script=literal(gate_script)),
            timeouts=VirtualMachineRunCommandTimeouts(
                create=f"{gate_timeout_minutes}m", update=f"{gate_timeout_minutes}m"
            ),
            depends_on=[_data_disk(self, machine, resource, resource_group)] if machine.data_disk_gb else None,
        )


def _data_disk(
    scope: Construct, machine: VirtualMachine, resource: LinuxVirtualMachine, resource_group: ResourceGroup
) -> VirtualMachineDataDiskAttachment:
    """A disk that outlives the machine. Azure attaches it while the machine already boots; the boot waits for it."""
    disk = ManagedDisk(
        scope,
        "data",
        name=f"disk-{machine.name}",
        location=resource_group.location,
        resource_group_name=resource_group.name,
        create_option="Empty",
        storage_account_type="Premium_LRS",
        disk_size_gb=machine.data_disk_gb,
        zone=machine.zone,
        public_network_access_enabled=False,
        network_access_policy="DenyAll",
        lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if machine.keep_data else None,
    )
    return VirtualMachineDataDiskAttachment(
        scope,
        "data-attachment",
        virtual_machine_id=resource.id,
        managed_disk_id=disk.id,
        lun=DATA_LUN,
        caching="None",
    )
